/// The command line. Starts and watches other processes of the mesh, of which it knows nothing inside; keeps
/// certificates in files for programs that join without a sidecar.
module dev.bodyguard.cli {
    requires static org.jspecify;
    requires dev.bodyguard.machine;
    requires dev.bodyguard.identity.client;
    requires dev.bodyguard.identity.spiffe;
    requires dev.bodyguard.injector.decision;
    requires info.picocli;
    requires java.net.http;

    opens dev.bodyguard.cli to
            info.picocli;
}
