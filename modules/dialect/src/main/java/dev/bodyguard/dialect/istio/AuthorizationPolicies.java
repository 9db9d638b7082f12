package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.NormalPath;
import dev.bodyguard.dialect.reading.Targets;
import dev.bodyguard.model.AuthorizationPolicy;
import dev.bodyguard.model.AuthorizationPolicy.Action;
import dev.bodyguard.model.AuthorizationPolicy.Attribute;
import dev.bodyguard.model.AuthorizationPolicy.Condition;
import dev.bodyguard.model.AuthorizationPolicy.Rule;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// AuthorizationPolicy: who may ask for what.
///
/// A condition that is not understood never lets anybody in: of a rule that allows, the whole rule goes; of one that
/// denies, only the condition does, so that it denies more than was asked.
final class AuthorizationPolicies {
    private static final Map<String, Attribute> SOURCE = Map.of(
            "principals", Attribute.PRINCIPAL,
            "namespaces", Attribute.NAMESPACE,
            "serviceAccounts", Attribute.SERVICE_ACCOUNT);
    private static final Map<String, Attribute> OPERATION = Map.of(
            "hosts", Attribute.HOST,
            "ports", Attribute.PORT,
            "methods", Attribute.METHOD,
            "paths", Attribute.PATH);
    private static final List<String> SOURCE_NOT_YET =
            List.of("ipBlocks", "remoteIpBlocks", "requestPrincipals", "trustDomains");
    private static final Map<String, Attribute> KEYS = Map.of(
            "source.principal", Attribute.PRINCIPAL,
            "source.namespace", Attribute.NAMESPACE,
            "source.serviceAccount", Attribute.SERVICE_ACCOUNT,
            "destination.port", Attribute.PORT);
    private static final Pattern HEADER = Pattern.compile("request\\.headers\\[([!#$%&'*+.^_`|~0-9A-Za-z-]+)]");
    private static final Pattern KEY_NOT_YET = Pattern.compile("source\\.(ip|trustDomain)|remote\\.ip|destination\\.ip"
            + "|connection\\.sni|request\\.auth\\..+|experimental\\..+");

    private static final Pattern ANYTHING = Pattern.compile("\\{\\*{1,2}}");

    private final String namespace;
    private final boolean denies;

    private AuthorizationPolicies(String namespace, boolean denies) {
        this.namespace = namespace;
        this.denies = denies;
    }

    static void read(Document document, Fields spec, List<Part> parts) {
        var action = spec.word("action", "ALLOW", "DENY", "AUDIT", "CUSTOM");
        if ("AUDIT".equals(action) || "CUSTOM".equals(action)) {
            Targets.read(spec, document);
            spec.elsewhere("provider", "rules");
            if ("CUSTOM".equals(action)) {
                // Whoever asks an authorizer of his own must not find that nobody was asked.
                spec.error("action", "CUSTOM is not supported yet; write ALLOW or DENY");
            } else {
                spec.warning("action", "AUDIT is not supported yet and has no effect; write ALLOW or DENY");
            }
            return;
        }
        boolean denies = "DENY".equals(action);
        var reader = new AuthorizationPolicies(document.namespace(), denies);
        var target = Targets.read(spec, document);
        if (spec.has("provider")) {
            spec.error("provider", "only goes with action CUSTOM, which is not supported yet; leave it out");
        }
        var rules = spec.list("rules", reader::rule);
        if (denies && !spec.has("rules")) {
            spec.warning("rules", "are missing, so this denies nothing; add a rule, or {} to deny everything");
        }
        parts.add(new AuthorizationPolicy(target, denies ? Action.DENY : Action.ALLOW, rules, document.origin()));
    }

    /// A rule being read.
    private static final class Reading {
        boolean incomplete;
    }

    private @Nullable Rule rule(Fields rule) {
        var reading = new Reading();
        var from = rule.list(
                "from",
                one -> some(one, "source", source -> {
                    for (var field : SOURCE_NOT_YET) {
                        notYet(source, field, reading);
                        notYet(source, negated(field), reading);
                    }
                    return conditions(source, SOURCE);
                }));
        var to = rule.list("to", one -> some(one, "operation", operation -> conditions(operation, OPERATION)));
        var when = rule.list("when", condition -> when(condition, reading));
        Stream.of("from", "to", "when")
                .filter(field -> rule.has(field) && rule.isEmptyList(field))
                .forEach(field -> rule.error(field, "must not be an empty list; leave it out to ask nothing"));
        return reading.incomplete && !denies ? null : new Rule(from, to, when, rule.origin());
    }

    private static List<Condition> some(Fields item, String field, Function<Fields, List<Condition>> read) {
        if (!item.has(field)) {
            item.missing(field, "is required; add it");
        }
        var conditions = item.<List<Condition>>object(field, inner -> {
            if (inner.isEmpty()) {
                item.error(field, "must ask for something; leave the list out to ask nothing");
            }
            return read.apply(inner);
        });
        return conditions == null ? List.of() : conditions;
    }

    private void notYet(Fields fields, String field, Reading reading) {
        if (fields.has(field)) {
            reading.incomplete = true;
            fields.warning(field, notSupported());
        }
    }

    private String notSupported() {
        return denies
                ? "is not supported yet; to be safe the rule denies whatever its other conditions match"
                : "is not supported yet; to be safe the rule is left out, so nobody is let in by it";
    }

    private List<Condition> conditions(Fields fields, Map<String, Attribute> attributes) {
        var all = new ArrayList<Condition>();
        attributes.entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(entry -> {
            var field = entry.getKey();
            var condition = condition(fields, entry.getValue(), "", field, negated(field));
            if (condition != null) {
                all.add(condition);
            }
        });
        return all;
    }

    private static String negated(String field) {
        return "not" + field.substring(0, 1).toUpperCase(Locale.ROOT) + field.substring(1);
    }

    private @Nullable Condition when(Fields condition, Reading reading) {
        var key = condition.required("key");
        var header = HEADER.matcher(key);
        var attribute = KEYS.get(key);
        if (header.matches()) {
            attribute = Attribute.HEADER;
        }
        if (attribute != null) {
            var name = attribute == Attribute.HEADER ? header.group(1).toLowerCase(Locale.ROOT) : "";
            var read = condition(condition, attribute, name, "values", "notValues");
            if (read == null) {
                condition.missing("values", "or notValues is required; add one of them", "notValues");
            }
            return read;
        }
        condition.elsewhere("values", "notValues");
        if (KEY_NOT_YET.matcher(key).matches()) {
            reading.incomplete = true;
            condition.warning("key", key + " " + notSupported());
        } else if (!key.isEmpty()) {
            condition.error(
                    "key",
                    "must be request.headers[NAME], source.principal, source.namespace, source.serviceAccount or"
                            + " destination.port, was " + key);
        }
        return null;
    }

    private @Nullable Condition condition(
            Fields fields, Attribute attribute, String name, String positive, String negative) {
        var values = values(fields, attribute, positive);
        var notValues = values(fields, attribute, negative);
        return values.isEmpty() && notValues.isEmpty() ? null : new Condition(attribute, name, values, notValues);
    }

    private List<String> values(Fields fields, Attribute attribute, String field) {
        var written = fields.texts(field);
        if (fields.has(field) && fields.isEmptyList(field)) {
            fields.error(field, "must not be an empty list; leave it out to ask nothing");
        }
        var values = new ArrayList<String>();
        for (var value : written) {
            if (value.isEmpty()) {
                fields.error(field, "must not hold an empty text");
                continue;
            }
            values.add(value(fields, attribute, field, value));
        }
        return values;
    }

    private String value(Fields fields, Attribute attribute, String field, String value) {
        switch (attribute) {
            case PORT -> {
                if (!value.matches("[1-9][0-9]{0,4}") || Integer.parseInt(value) > 65_535) {
                    fields.error(field, "must be ports from 1 to 65535, as text, was " + value);
                }
            }
            case PATH -> {
                return path(fields, field, value);
            }
            case METHOD -> {
                if (!value.equals(value.toUpperCase(Locale.ROOT))) {
                    fields.warning(field, "methods are upper case, so this matches none that is usual, was " + value);
                }
            }
            case PRINCIPAL -> {
                if (value.startsWith("spiffe://")) {
                    fields.error(field, "is written without spiffe://, was " + value);
                }
            }
            case SERVICE_ACCOUNT -> {
                if (value.contains("*") || value.indexOf('/') != value.lastIndexOf('/')) {
                    fields.error(field, "must be a name or namespace/name, without *, was " + value);
                }
                return value.contains("/") ? value : namespace + "/" + value;
            }
            case NAMESPACE, HEADER, HOST -> {}
        }
        if (inner(value)) {
            fields.error(field, "may have * only at its beginning or at its end, was " + value);
        }
        return value;
    }

    private static boolean inner(String value) {
        int at = value.indexOf('*');
        return at >= 0
                && value.length() > 1
                && (value.indexOf('*', at + 1) >= 0 || (at > 0 && at < value.length() - 1));
    }

    /// The path in its normal form, which is the one that requests are judged by.
    private static String path(Fields fields, String field, String value) {
        if (value.contains("{")) {
            if (!value.startsWith("/")
                    || !ANYTHING.matcher(value).replaceAll("").matches("[^{}*]*")) {
                fields.error(field, "must begin with / and have {*} or {**} in place of whole segments, was " + value);
                return value;
            }
        } else if (inner(value)) {
            fields.error(field, "may have * only at its beginning or at its end, was " + value);
            return value;
        } else if (!value.startsWith("/") && !value.startsWith("*")) {
            fields.error(field, "must begin with / or *, was " + value);
            return value;
        }
        return normal(value).orElseGet(() -> {
            fields.error(
                    field,
                    "can never match, since paths are normalised before: write it without query, fragment, broken"
                            + " escapes, and dot segments beside {*} or after *, was " + value);
            return value;
        });
    }

    private static Optional<String> normal(String value) {
        if (value.contains("{")) {
            return template(value);
        }
        if (value.startsWith("*")) {
            return NormalPath.part(value.substring(1)).map(rest -> "*" + rest);
        }
        return value.endsWith("*")
                ? NormalPath.beginning(value.substring(0, value.length() - 1)).map(start -> start + "*")
                : NormalPath.whole(value);
    }

    private static Optional<String> template(String value) {
        var text = new StringBuilder();
        var anything = ANYTHING.matcher(value);
        int from = 0;
        while (anything.find()) {
            var literal = NormalPath.part(value.substring(from, anything.start()));
            if (literal.isEmpty()) {
                return literal;
            }
            text.append(literal.get()).append(anything.group());
            from = anything.end();
        }
        return NormalPath.part(value.substring(from)).map(literal -> text + literal);
    }
}
