package dev.bodyguard.proxy.wire;

/// The protocol in which a message was written by the peer who sent it.
public enum Version {
    HTTP_1_0("HTTP/1.0"),
    HTTP_1_1("HTTP/1.1"),
    HTTP_2("HTTP/2");

    private final String text;

    Version(String text) {
        this.text = text;
    }

    /// As access logs write it.
    public String text() {
        return text;
    }
}
