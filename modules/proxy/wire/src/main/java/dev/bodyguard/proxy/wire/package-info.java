/// The exchange API and what carries it.
///
/// **Threads.** A connection belongs to one [Loop]; every call into an [Exchange], a [Tunnel] or an [UpstreamStream]
/// and every callback from them happens on that loop. What a handler opens upstream through
/// `exchange.loop().upstreams()` stays there too, so one exchange never changes threads.
///
/// **Buffers.** A `ByteBuf` has one owner. Passing it to a method of this package hands it over, whatever happens
/// next; a callback that receives one must release it or pass it on.
///
/// **Order.** Each direction is: one head (after any interim heads), any number of chunks, and then exactly one of: a
/// chunk or head marked last, trailers, a reset or failure. Nothing is called after that.
///
/// **Backpressure.** A sink that is full says `isWritable() == false`; the one who feeds it calls `pause()` on the
/// source and `resume()` when told `onWritable()`. While a source is paused no chunk is delivered and the peer gets no
/// more credit than one stream window.
package dev.bodyguard.proxy.wire;
