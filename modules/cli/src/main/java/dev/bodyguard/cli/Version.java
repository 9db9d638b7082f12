package dev.bodyguard.cli;

import picocli.CommandLine.IVersionProvider;

/// The version this was built as.
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {text()};
    }

    static String text() {
        var descriptor = Version.class.getModule().getDescriptor();
        return "bodyguard "
                + (descriptor == null ? "unknown" : descriptor.rawVersion().orElse("unknown"));
    }
}
