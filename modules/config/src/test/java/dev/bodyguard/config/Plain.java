package dev.bodyguard.config;

import dev.bodyguard.dialect.Dialect;
import dev.bodyguard.dialect.Kind;
import dev.bodyguard.dialect.Translation;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Location;
import dev.bodyguard.model.Part;
import dev.bodyguard.model.Problem;
import dev.bodyguard.model.ServiceAccount;
import dev.bodyguard.model.Value;
import java.util.ArrayList;
import java.util.List;

/// A dialect with one field, `means`: a list of service accounts. `wrong` among them is an error, `odd` a warning,
/// `defect` breaks the dialect itself.
final class Plain implements Dialect {
    static Document document(String name, String... means) {
        return document("test/v1", name, 1, means);
    }

    static Document document(String apiVersion, String name, int line, String... means) {
        var items = new ArrayList<Value>();
        for (String one : means) {
            items.add(new Value.Text(one, new Location(name + ".yaml", line + 1, 3)));
        }
        var at = new Location(name + ".yaml", line, 1);
        return new Document(
                apiVersion,
                "Plain",
                "default",
                name,
                null,
                new Value.Mapping(List.of(new Value.Entry("means", new Value.Sequence(items, at), at)), at));
    }

    @Override
    public List<Kind> kinds() {
        return List.of(new Kind("test", "Plain", List.of("v1")));
    }

    @Override
    public Translation translate(Document document) {
        var parts = new ArrayList<Part>();
        var problems = new ArrayList<Problem>();
        if (document.root().get("means") instanceof Value.Sequence(var items, var _)) {
            for (int i = 0; i < items.size(); i++) {
                if (!(items.get(i) instanceof Value.Text text)) {
                    continue;
                }
                var origin = document.origin("means[" + i + "]", text.at());
                switch (text.value()) {
                    case "wrong" ->
                        problems.add(new Problem(Problem.Severity.ERROR, origin, "must be right, was wrong"));
                    case "odd" -> problems.add(new Problem(Problem.Severity.WARNING, origin, "has no effect"));
                    case "defect" -> throw new IllegalStateException("a broken promise");
                    default -> parts.add(new ServiceAccount(document.namespace(), text.value(), origin));
                }
            }
        }
        return new Translation(parts, problems);
    }
}
