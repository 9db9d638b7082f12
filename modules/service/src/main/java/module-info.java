/// What every process of the control plane has around its own work: settings from the environment, one line per event,
/// an admin port, an orderly end. Knows nothing of what a service does.
module dev.bodyguard.service {
    requires static transitive org.jspecify;
    requires dev.bodyguard.machine;
    requires io.helidon.webserver;
    requires java.logging;

    exports dev.bodyguard.service;
}
