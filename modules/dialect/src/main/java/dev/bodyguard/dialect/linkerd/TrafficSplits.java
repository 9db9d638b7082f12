package dev.bodyguard.dialect.linkerd;

import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Head;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.HttpMatch;
import dev.bodyguard.model.HttpRoutes;
import dev.bodyguard.model.HttpRoutes.OnPort;
import dev.bodyguard.model.HttpRoutes.Rank;
import dev.bodyguard.model.HttpRule;
import dev.bodyguard.model.HttpRule.HeaderEdits;
import dev.bodyguard.model.HttpRule.Retries;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Visibility;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// TrafficSplit: how the requests to a service are divided among services.
final class TrafficSplits {
    private TrafficSplits() {}

    static void read(Document document, Fields spec, Head head, List<Part> parts) {
        var service = spec.required("service");
        if (spec.has("matches")) {
            spec.elsewhere("matches");
            spec.error(
                    "matches",
                    "are not supported yet, and without them everything would be divided; remove them, or write an"
                            + " HTTPRoute of Gateway API");
        }
        if (!spec.has("backends")) {
            spec.missing("backends", "is required; add at least one");
        }
        var shares = Shares.read(document.namespace(), spec, "backends", "service");
        shares.ifPresent(forward -> parts.add(new HttpRoutes(
                Rank.TRAFFIC_SPLIT,
                document.namespace(),
                List.of(Shares.host(service, document.namespace())),
                Map.of(Shares.host(service, document.namespace()), spec.origin("service")),
                OnPort.ANY,
                Set.of(HttpMatch.MESH),
                Visibility.EVERYWHERE,
                List.of(new HttpRule(
                        "",
                        List.of(),
                        forward,
                        null,
                        new Retries.Never(),
                        null,
                        HeaderEdits.NONE,
                        null,
                        null,
                        document.origin())),
                null,
                head.created(),
                document.origin())));
    }
}
