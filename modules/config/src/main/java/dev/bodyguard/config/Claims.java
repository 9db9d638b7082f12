package dev.bodyguard.config;

import dev.bodyguard.model.Document;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Which document speaks for an object: the newest that is spelt as it should be, else the newest whose misspelt kind
/// or group was meant to be the object's. So a letter that is wrong does not remove what stood there, and a misspelt
/// copy displaces nothing. No I/O.
final class Claims {
    /// By the object's key, then by discovery's name of the document, which holds its apiVersion; the latest put last.
    private final Map<String, Map<String, Document>> byKey = new HashMap<>();
    /// Discovery's name of a document to the key of the object that it is, or is meant to be.
    private final Map<String, String> keys = new HashMap<>();

    /// Who claims to be an object.
    ///
    /// @param speaker what counts as its newest version
    /// @param besides misspelt documents that mean the same object, and are left out
    record Claim(Document speaker, List<Document> besides) {}

    /// @param name discovery's, for the document
    /// @param key of the object that is meant
    void put(String name, Document document, String key) {
        keys.put(name, key);
        var claims = byKey.computeIfAbsent(key, _ -> new LinkedHashMap<>());
        claims.remove(name);
        claims.put(name, document);
    }

    /// The key of the object that the document was, or meant; null where there was no such document.
    @Nullable
    String remove(String name) {
        String key = keys.remove(name);
        var claims = key == null ? null : byKey.get(key);
        if (claims != null) {
            claims.remove(name);
            if (claims.isEmpty()) {
                byKey.remove(key);
            }
        }
        return key;
    }

    /// Empty where no document is left.
    Optional<Claim> of(String key) {
        var claims = byKey.getOrDefault(key, Map.of()).values();
        var right =
                claims.stream().filter(document -> document.key().equals(key)).reduce((_, later) -> later);
        var meant = new ArrayList<>(
                claims.stream().filter(document -> !document.key().equals(key)).toList());
        if (right.isPresent()) {
            return Optional.of(new Claim(right.get(), meant));
        }
        return meant.isEmpty() ? Optional.empty() : Optional.of(new Claim(meant.removeLast(), meant));
    }
}
