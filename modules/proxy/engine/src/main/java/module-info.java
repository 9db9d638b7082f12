/// Decides what happens to a request: match, split, authorize, balance, retry. xDS resources become one immutable
/// [dev.bodyguard.proxy.engine.Plan]. Knows nothing of sockets, HTTP codecs or where the resources came from.
module dev.bodyguard.proxy.engine {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.xds.protocol;
    requires re2j;

    exports dev.bodyguard.proxy.engine;
}
