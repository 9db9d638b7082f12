package dev.bodyguard.dialect;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Part;
import java.util.List;

/// One way of writing a mesh down.
public interface Dialect {
    /// The kinds of documents whose meaning it is for this dialect to say.
    List<Kind> kinds();

    /// What the document means. Only for documents of its [#kinds].
    Translation translate(Document document);

    /// What holds in a document's place while it is refused and no earlier version of it is known: nothing, unless the
    /// document says who may come in. Whoever wrote that did not mean everybody, so there it is nobody.
    default List<Part> inPlaceOf(Document document) {
        return List.of();
    }

    /// The document as its author meant it, where its `apiVersion` or `kind` is nearly one of the [#kinds]; itself
    /// everywhere else. What is misspelt is refused, but it is a version of what was meant.
    default Document meant(Document document) {
        return document;
    }
}
