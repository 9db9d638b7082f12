package dev.bodyguard.dialect;

import dev.bodyguard.model.Document;

/// One way of writing a mesh down.
public interface Dialect {
    /// Whether it is for this dialect to say what the document means.
    boolean speaks(Document document);

    /// What the document means. Only for documents that it [#speaks].
    Translation translate(Document document);
}
