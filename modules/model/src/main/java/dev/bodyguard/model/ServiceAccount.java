package dev.bodyguard.model;

/// A name that workloads run under.
public record ServiceAccount(String namespace, String name, Origin origin) implements Part {}
