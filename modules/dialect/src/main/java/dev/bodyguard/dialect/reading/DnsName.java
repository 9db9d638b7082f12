package dev.bodyguard.dialect.reading;

import java.util.Locale;
import java.util.regex.Pattern;

/// Names of objects and their namespaces, as Kubernetes takes them: they stand in host names and in identities.
enum DnsName {
    /// A DNS subdomain (RFC 1123 §2.1, RFC 1035 §2.3.4): words with dots between them.
    SUBDOMAIN(253, "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", "- and ."),
    /// A single word.
    LABEL(63, "[a-z0-9]([-a-z0-9]*[a-z0-9])?", "-");

    private static final int SHOWN = 60;

    private final int longest;
    private final Pattern form;
    private final String marks;

    DnsName(int longest, String form, String marks) {
        this.longest = longest;
        this.form = Pattern.compile(form);
        this.marks = marks;
    }

    /// Refuses the document where a field holds another text than such a name.
    void check(Fields fields, String field) {
        var name = fields.text(field);
        if (name.isEmpty() || fits(name)) {
            return;
        }
        var meant =
                name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9.-]+", "-").replaceAll("^[-.]+|[-.]+$", "");
        fields.error(
                field,
                "must be a DNS name (RFC 1123: lower case letters, digits, and " + marks + " within, " + longest
                        + " characters at most), was "
                        + (name.length() > SHOWN ? name.substring(0, SHOWN) + "…" : name)
                        + (fits(meant) ? "; write " + meant : ""));
    }

    private boolean fits(String name) {
        return name.length() <= longest && form.matcher(name).matches();
    }
}
