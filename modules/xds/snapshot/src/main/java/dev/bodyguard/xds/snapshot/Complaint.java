package dev.bodyguard.xds.snapshot;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.Status;
import io.envoyproxy.envoy.service.discovery.v3.ResourceError;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// What a client objects to.
///
/// @param byName reasons for the resources that it names, as `ResourceError` in the details of the status
record Complaint(boolean made, String why, Map<String, String> byName) {
    private static final int LONGEST_REASON = 2_000;

    static final Complaint NONE = new Complaint(false, "", Map.of());

    static Complaint of(Status status) {
        var byName = new LinkedHashMap<String, String>();
        for (Any detail : status.getDetailsList()) {
            if (detail.is(ResourceError.class)) {
                try {
                    var error = detail.unpack(ResourceError.class);
                    byName.put(
                            error.getResourceName().getName(),
                            shortened(error.getErrorDetail().getMessage()));
                } catch (InvalidProtocolBufferException unreadable) {
                    // The sentence is there all the same; only who is meant stays unknown.
                    byName.clear();
                    break;
                }
            }
        }
        return new Complaint(true, shortened(status.getMessage()), byName);
    }

    /// Whom of these it means and why: all of them unless it names some.
    Map<String, String> reasons(Set<String> names) {
        var reasons = new TreeMap<String, String>();
        if (made) {
            for (var name : names) {
                var reason = byName.isEmpty() ? why : byName.get(name);
                if (reason != null) {
                    reasons.put(name, reason);
                }
            }
        }
        return reasons;
    }

    private static String shortened(String text) {
        return text.length() <= LONGEST_REASON ? text : text.substring(0, LONGEST_REASON) + "…";
    }
}
