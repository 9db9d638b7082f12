/// The command line. Starts and watches other processes of the mesh; knows nothing of what is inside them.
module dev.bodyguard.cli {
    requires static org.jspecify;
    requires dev.bodyguard.machine;
    requires dev.bodyguard.identity.spiffe;
    requires info.picocli;
    requires java.net.http;

    opens dev.bodyguard.cli to
            info.picocli;
}
