package dev.bodyguard.proxy.wire;

/// The head of an answer; its fields obey what [Request] says of fields.
public final class Response {
    private final Version version;
    private int status;
    private final Fields fields;

    public Response(Version version, int status, Fields fields) {
        if (status < 100 || status > 999) {
            throw new IllegalArgumentException("a status has three digits, was " + status);
        }
        this.version = version;
        this.status = status;
        this.fields = fields;
    }

    /// An answer of our own.
    public static Response of(int status, Fields fields) {
        return new Response(Version.HTTP_1_1, status, fields);
    }

    /// What the server spoke.
    public Version version() {
        return version;
    }

    public int status() {
        return status;
    }

    public Fields fields() {
        return fields;
    }

    public Response status(int value) {
        status = value;
        return this;
    }

    @Override
    public String toString() {
        return version.text() + " " + status;
    }
}
