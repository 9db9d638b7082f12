package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.xds.client.AdsClient;
import java.util.Collection;

/// The planner's names are asked for on the configuration stream.
record Subscribed(AdsClient client) implements Planner.Subscriptions {
    @Override
    public void subscribe(String type, Collection<String> names) {
        client.subscribe(type, names);
    }

    @Override
    public void unsubscribe(String type, Collection<String> names) {
        client.unsubscribe(type, names);
    }
}
