package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Admission.Quota;
import dev.bodyguard.proxy.engine.HeaderChanges;
import dev.bodyguard.proxy.engine.HeaderChanges.How;
import dev.bodyguard.proxy.engine.HeaderChanges.Put;
import java.util.List;

/// What a caller is told of its quota: in the three fields that clients in the field read
/// (draft-ietf-httpapi-ratelimit-headers up to 07), and in the two of the draft as it stands now (since 08). What the
/// app says itself about a limit of its own stays.
final class QuotaHeaders {
    private QuotaHeaders() {}

    static HeaderChanges of(Quota quota) {
        // RFC 9651 §3.3.3: a string is printable ASCII, and we need no escapes.
        var name = '"' + quota.name().replaceAll("[^ !#-\\[\\]-~]", "_") + '"';
        return new HeaderChanges(
                List.of(),
                List.of(
                        put("ratelimit-limit", quota.limit() + ""),
                        put("ratelimit-remaining", quota.remaining() + ""),
                        put("ratelimit-reset", quota.reset() + ""),
                        put("ratelimit-policy", name + ";q=" + quota.requests() + ";w=" + quota.window()),
                        put("ratelimit", name + ";r=" + quota.remaining() + ";t=" + quota.reset())));
    }

    private static Put put(String name, String value) {
        return new Put(name, value, How.ADD_IF_ABSENT);
    }
}
