package dev.bodyguard.proxy.engine;

/// A resource that could not be applied; the last good one of its name stays in force.
///
/// @param name the resource's name
/// @param reason the field, the value and what would be right
public record Rejected(String name, String reason) {}
