package dev.bodyguard.source.files;

import dev.bodyguard.model.Location;

/// How a file's text ends, which tells whether the rest of it may be missing.
///
/// @param at the end, or the separator of documents after which nothing stands
record End(How how, Location at) {
    enum How {
        /// With the end of a line of a document.
        WHOLE("", ""),
        /// Before the end of a line.
        WITHIN_A_LINE("ends within a line", "end that line"),
        /// With a separator.
        BETWEEN_DOCUMENTS("ends with ---", "remove that line");

        private final String sentence;
        private final String wayOut;

        How(String sentence, String wayOut) {
            this.sentence = sentence;
            this.wayOut = wayOut;
        }

        /// What authors are told, as the beginning of a sentence.
        String sentence() {
            return sentence;
        }

        /// What makes it [#WHOLE].
        String wayOut() {
            return wayOut;
        }
    }

    static End of(String file, String text) {
        var written = text.stripTrailing();
        int begins = written.lastIndexOf('\n') + 1;
        boolean separates = written.substring(begins).equals("---");
        int lines = (int) written.chars().filter(character -> character == '\n').count();
        if (separates) {
            return new End(How.BETWEEN_DOCUMENTS, new Location(file, lines + 1, 1));
        }
        boolean ended = text.isEmpty() || text.indexOf('\n', written.length()) >= 0;
        return new End(
                ended ? How.WHOLE : How.WITHIN_A_LINE, new Location(file, lines + 1, written.length() - begins + 1));
    }
}
