package dev.bodyguard.model;

/// Something wrong in what an author wrote, as one sentence with its way out.
///
/// @param severity whether the object is out of force because of it
/// @param origin the field it is about
/// @param message what is wrong, the value, and what would be right: `must be 0 or more, was -5`
public record Problem(Severity severity, Origin origin, String message) {
    /// How much of the object a problem takes out of force.
    public enum Severity {
        /// The object's new version is refused; its last good one stays in force.
        ERROR,
        /// The object is in force, but not as its author may think: a field is ignored or overridden.
        WARNING
    }

    /// `payments.yaml:14:9: VirtualService default/payment-vs: spec.http[0].route[1].weight: must be …`
    @Override
    public String toString() {
        var text = new StringBuilder();
        if (origin.at() != null) {
            text.append(origin.at()).append(": ");
        }
        text.append(origin.kind())
                .append(' ')
                .append(origin.namespace())
                .append('/')
                .append(origin.name())
                .append(": ");
        if (!origin.field().isEmpty()) {
            text.append(origin.field()).append(": ");
        }
        return text.append(message).toString();
    }
}
