package dev.bodyguard.config;

import dev.bodyguard.model.Document;

/// How a document fares.
///
/// @param accepted its newest version is understood
/// @param why what is wrong where it is not, what its author may not expect where it is; empty where there is nothing
///     to say
/// @param overridden who speaks in its place, as a sentence; empty where nobody does
/// @param since the first generation that has this version
record Standing(Document document, boolean accepted, String why, String overridden, long since) {}
