package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.HeaderChanges;
import dev.bodyguard.proxy.wire.Fields;

/// Applies a rule's changes to a message.
final class Headers {
    private Headers() {}

    static void change(Fields fields, HeaderChanges changes) {
        for (var name : changes.remove()) {
            fields.remove(name);
        }
        for (var put : changes.put()) {
            switch (put.how()) {
                case APPEND -> fields.add(put.name(), put.value());
                case ADD_IF_ABSENT -> {
                    if (!fields.contains(put.name())) {
                        fields.add(put.name(), put.value());
                    }
                }
                case OVERWRITE_OR_ADD -> fields.set(put.name(), put.value());
                case OVERWRITE_IF_PRESENT -> {
                    if (fields.contains(put.name())) {
                        fields.set(put.name(), put.value());
                    }
                }
            }
        }
    }
}
