package dev.bodyguard.proxy.wire;

import org.jspecify.annotations.Nullable;

/// A request that could not be read, or was more than one may send: what there is to tell of it.
///
/// @param version null where it came to none
/// @param method empty where it came to none; the client's own words, like the target
/// @param target as the first line or `:path` says it, empty where it came to none
/// @param status that it was answered with, 0 where its stream was reset instead
/// @param sentence what is wrong
public record Unread(
        Connection connection, @Nullable Version version, String method, String target, int status, String sentence) {}
