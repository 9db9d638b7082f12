package dev.bodyguard.samples.authority;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.authority.RootFolder;
import dev.bodyguard.identity.authority.ServerNames;
import dev.bodyguard.identity.spiffe.Pem;
import dev.bodyguard.identity.spiffe.SpiffeId;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;

/// `Issue FOLDER NAMESPACE ACCOUNT`: prints an X.509-SVID, good for an hour, of the authority in that folder.
public final class Issue {
    private Issue() {}

    public static void main(String[] args) throws IOException {
        var authority = Authority.open(
                "example.org",
                new RootFolder(Path.of(args[0])),
                Authority.Lifetimes.DAY,
                issued -> System.err.println("issued " + issued),
                InstantSource.system(),
                new SecureRandom());
        var id = SpiffeId.ofServiceAccount("example.org", args[1], args[2]);
        var svid = authority.issue(id, Duration.ofHours(1), ServerNames.NONE);
        System.out.print(
                Pem.encode(svid.key()) + Pem.encode(svid.leaf()) + svid.bundle().toPem());
    }
}
