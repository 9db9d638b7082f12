package dev.bodyguard.source.kubernetes;

/// What can happen between here and an API server. Called on threads of the client; must not block.
public interface Events {
    /// Objects can no longer be read; what was last read stays.
    ///
    /// @param what the kinds, in the plural, as the API server calls them
    /// @param why a sentence
    void lost(String what, String why);

    /// Everything is read again, and up to date.
    void back();

    /// A kind is read from now on, in this version of its group.
    void watching(String what);

    /// A kind is no longer known to the API server; documents of it are gone.
    void forgotten(String what);

    /// An object is as good as not there.
    void leftOut(String object, String why);

    /// The status of a document cannot be written.
    void statusRefused(String document, String why);
}
