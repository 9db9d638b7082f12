package dev.bodyguard.cli;

import picocli.CommandLine.IVersionProvider;

/// The version this was built as.
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {text()};
    }

    static String text() {
        return "bodyguard " + number();
    }

    /// Such as `1.2.0`.
    static String number() {
        var descriptor = Version.class.getModule().getDescriptor();
        return descriptor == null ? "unknown" : descriptor.rawVersion().orElse("unknown");
    }
}
