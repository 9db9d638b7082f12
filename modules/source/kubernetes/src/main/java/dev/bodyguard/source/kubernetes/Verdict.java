package dev.bodyguard.source.kubernetes;

/// How a document fares.
///
/// @param key the document's
/// @param generation of the document that this is about
/// @param accepted it is understood, in that version
/// @param why what is wrong where it is not, what its author may not expect where it is; empty where there is nothing
///     to say
/// @param overridden who speaks in its place, as a sentence; empty where nobody does
/// @param inForce proxies that have it
/// @param proxies all there are
public record Verdict(
        String key, long generation, boolean accepted, String why, String overridden, int inForce, int proxies) {
    public Verdict {
        if (inForce < 0 || inForce > proxies) {
            throw new IllegalArgumentException("in force on 0 to " + proxies + " proxies, was " + inForce);
        }
    }
}
