// One FIFO of every depth, so that one compiled image serves all depths: `selected` says which
// FIFO gets the requests and drives the outputs; the others stay idle.
`timescale 1ns / 1ns
`include "fifo_defs.svh"

module fifo_bank #(
    parameter int WIDTH = 16,
    parameter int FIFOS = 4,
    parameter int MIN_DEPTH = 4,  // each FIFO is twice as deep as the one before
    localparam int MAX_DEPTH = MIN_DEPTH << (FIFOS - 1),
    localparam int LEVEL_BITS = `FIFO_LEVEL_BITS(MAX_DEPTH)
) (
    input  logic                     clk,
    input  logic                     rst_n,
    input  logic [$clog2(FIFOS)-1:0] selected,
    input  logic                     push,
    input  logic [WIDTH-1:0]         push_data,
    input  logic                     pop,
    output logic [WIDTH-1:0]         pop_data,
    output logic                     empty,
    output logic                     almost_full,
    output logic                     full,
    output logic [LEVEL_BITS-1:0]    count
);
  logic [FIFOS-1:0][WIDTH-1:0] pop_datas;
  logic [FIFOS-1:0] empties;
  logic [FIFOS-1:0] almost_fulls;
  logic [FIFOS-1:0] fulls;
  logic [FIFOS-1:0][LEVEL_BITS-1:0] counts;

  for (genvar i = 0; i < FIFOS; i++) begin : g_fifo
    localparam int DEPTH = MIN_DEPTH << i;
    wire active = selected == i;
    logic [`FIFO_LEVEL_BITS(DEPTH)-1:0] level;

    sync_fifo #(
        .WIDTH(WIDTH),
        .DEPTH(DEPTH)
    ) dut (
        .clk        (clk),
        .rst_n      (rst_n),
        .push       (push && active),
        .push_data  (push_data),
        .pop        (pop && active),
        .pop_data   (pop_datas[i]),
        .empty      (empties[i]),
        .almost_full(almost_fulls[i]),
        .full       (fulls[i]),
        .count      (level)
    );
    assign counts[i] = LEVEL_BITS'(level);
  end

  assign pop_data    = pop_datas[selected];
  assign empty       = empties[selected];
  assign almost_full = almost_fulls[selected];
  assign full        = fulls[selected];
  assign count       = counts[selected];
endmodule
