// Sizes that the FIFO and its testbench must agree on.
`ifndef FIFO_DEFS_SVH
`define FIFO_DEFS_SVH

// Bits of a slot's index, and of a fill level: one level more than there are slots.
`define FIFO_INDEX_BITS(DEPTH) $clog2(DEPTH)
`define FIFO_LEVEL_BITS(DEPTH) $clog2((DEPTH) + 1)

// almost_full is up while this many slots are free, or fewer.
`define FIFO_ALMOST_FULL_SLACK 1

`endif
