package dev.bodyguard.model;

import java.util.Map;

/// A port of some workloads, under a name that policies refer to.
///
/// @param selector the workloads of its namespace; empty: all of them
/// @param selectorAt where it is written
/// @param port of the application, 0 for every one
public record Server(
        String namespace, String name, Map<String, String> selector, Origin selectorAt, int port, Origin origin)
        implements Part {
    public Server {
        selector = Map.copyOf(selector);
    }
}
