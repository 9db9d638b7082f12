package dev.bodyguard.dialect;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Part;
import java.util.List;

/// One way of writing a mesh down.
public interface Dialect {
    /// Whether it is for this dialect to say what the document means.
    boolean speaks(Document document);

    /// What the document means. Only for documents that it [#speaks].
    Translation translate(Document document);

    /// What holds in a document's place while it is refused and no earlier version of it is known: nothing, unless the
    /// document says who may come in. Whoever wrote that did not mean everybody, so there it is nobody.
    default List<Part> inPlaceOf(Document document) {
        return List.of();
    }
}
