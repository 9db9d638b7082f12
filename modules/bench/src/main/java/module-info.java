/// What a request's decisions cost in time and memory. Nothing of it is in the distribution.
open module dev.bodyguard.bench {
    requires static org.jspecify;
    requires dev.bodyguard.proxy.engine;
    requires dev.bodyguard.xds.protocol;
    requires jmh.core;
}
