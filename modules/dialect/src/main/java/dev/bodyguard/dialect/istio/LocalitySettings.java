package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.model.BackendPolicy.Localities;
import dev.bodyguard.model.BackendPolicy.Shares;
import dev.bodyguard.model.Locality;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A DestinationRule's `localityLbSetting`: which instances are asked first by where they run.
final class LocalitySettings {
    private static final int ALL = 100;

    private LocalitySettings() {}

    static Localities read(Fields setting) {
        boolean enabled = setting.bool("enabled", true);
        setting.unsupported("failoverPriority");
        var regions = new HashMap<String, String>();
        setting.<Boolean>list("failover", one -> failover(one, regions));
        var distribute = setting.list("distribute", LocalitySettings::shares);
        if (setting.has("distribute") && setting.has("failover")) {
            setting.error("failover", "cannot stand beside distribute; keep one of the two");
        }
        if (!enabled) {
            return new Localities.Alike();
        }
        return distribute.isEmpty() ? new Localities.Nearest(regions) : new Localities.Distributed(distribute);
    }

    private static Boolean failover(Fields one, Map<String, String> regions) {
        var from = one.required("from");
        var to = one.required("to");
        if (!from.isEmpty() && from.equals(to)) {
            one.error("to", "must be another region than from, was " + to);
        }
        for (var field : new String[] {"from", "to"}) {
            if (one.text(field).contains("/")) {
                one.error(field, "must be a region without zone, was " + one.text(field));
            }
        }
        if (regions.putIfAbsent(from, to) != null) {
            one.error("from", "must be said once, was " + from + " again");
        }
        return true;
    }

    private static @Nullable Shares shares(Fields one) {
        var from = one.required("from");
        var percents = new LinkedHashMap<Locality, Integer>();
        long all = 0;
        for (var to : one.numbers("to", 0, ALL).entrySet()) {
            percents.put(Locality.of(to.getKey()), to.getValue());
            all += to.getValue();
        }
        if (!one.has("to")) {
            one.missing("to", "is required; add it");
            return null;
        }
        if (all != ALL) {
            one.error("to", "must add up to 100, was " + all);
        }
        return new Shares(Locality.of(from), percents);
    }
}
