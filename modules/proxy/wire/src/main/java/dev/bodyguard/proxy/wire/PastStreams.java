package dev.bodyguard.proxy.wire;

/// What became of a connection's latest streams. A frame that comes for one which the peer has ended, or a client has
/// left out, breaks the protocol; for one that this side has reset it was on its way.
final class PastStreams {
    private static final int REMEMBERED = Long.SIZE;

    enum Past {
        /// By the peer's own word.
        ENDED,
        /// By this side.
        RESET,
        /// A later one was begun before it (RFC 9113 §5.1.1).
        LEFT_OUT,
        UNKNOWN
    }

    private int newest = -1;
    /// Bit n is of the stream that the client could have begun n before the newest.
    private long ended;

    private long reset;
    private long leftOut;

    /// Or would have begun, had it not been refused. One that is known already stays as it was.
    ///
    /// @param id odd
    void began(int id) {
        if (id <= newest) {
            return;
        }
        int further = (id - newest) / 2;
        ended = further < REMEMBERED ? ended << further : 0;
        reset = further < REMEMBERED ? reset << further : 0;
        leftOut = further < REMEMBERED ? (leftOut << further) | ((1L << further) - 2) : -2L;
        newest = id;
    }

    void ended(int id) {
        if (isRemembered(id)) {
            ended |= bit(id);
        }
    }

    void reset(int id) {
        if (isRemembered(id)) {
            reset |= bit(id);
        }
    }

    Past of(int id) {
        if (!isRemembered(id)) {
            return Past.UNKNOWN;
        }
        if ((ended & bit(id)) != 0) {
            return Past.ENDED;
        }
        if ((reset & bit(id)) != 0) {
            return Past.RESET;
        }
        return (leftOut & bit(id)) == 0 ? Past.UNKNOWN : Past.LEFT_OUT;
    }

    private boolean isRemembered(int id) {
        return id > 0 && id <= newest && (newest - id) / 2 < REMEMBERED;
    }

    private long bit(int id) {
        return 1L << ((newest - id) / 2);
    }
}
