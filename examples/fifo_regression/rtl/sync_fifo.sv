// Synchronous FIFO, first word falls through: pop_data is valid whenever the FIFO is not empty.
//
// A push into a full FIFO is taken if a word is popped in the same cycle, else it is ignored;
// a pop of an empty FIFO is ignored. DEPTH is any number from 2; it need not be a power of two.
`timescale 1ns / 1ns
`include "fifo_defs.svh"

module sync_fifo #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 16
) (
    input  logic                               clk,
    input  logic                               rst_n,
    input  logic                               push,
    input  logic [WIDTH-1:0]                   push_data,
    input  logic                               pop,
    output logic [WIDTH-1:0]                   pop_data,
    output logic                               empty,
    output logic                               almost_full,
    output logic                               full,
    output logic [`FIFO_LEVEL_BITS(DEPTH)-1:0] count
);
  localparam int INDEX_BITS = `FIFO_INDEX_BITS(DEPTH);
  localparam int LEVEL_BITS = `FIFO_LEVEL_BITS(DEPTH);
  localparam logic [INDEX_BITS-1:0] LAST_SLOT = INDEX_BITS'(DEPTH - 1);
  localparam logic [LEVEL_BITS-1:0] FULL_LEVEL = LEVEL_BITS'(DEPTH);
  localparam logic [LEVEL_BITS-1:0] ALMOST_FULL_LEVEL =
      LEVEL_BITS'(DEPTH - `FIFO_ALMOST_FULL_SLACK);

  logic [WIDTH-1:0] slots[0:DEPTH-1];
  logic [INDEX_BITS-1:0] write_index;
  logic [INDEX_BITS-1:0] read_index;

  assign empty       = count == '0;
  assign almost_full = count >= ALMOST_FULL_LEVEL;
  assign full        = count == FULL_LEVEL;
  assign pop_data    = slots[read_index];

  wire push_taken = push && (!full || pop);
  wire pop_taken = pop && !empty;

  // To save power, a word is not written over its equal: when the FIFO is full, the slot that is
  // pushed into is the one that is popped from.
`ifdef FIFO_PLANTED_BUG
  wire same_slot = almost_full;  // with a slot free, the two slots differ: the word is lost
`else
  wire same_slot = full;
`endif
  wire write_slot = push_taken && !(same_slot && pop && push_data == pop_data);

  function automatic logic [INDEX_BITS-1:0] after(input logic [INDEX_BITS-1:0] index);
    return (index == LAST_SLOT) ? '0 : index + 1'b1;
  endfunction

  always_ff @(posedge clk) begin
    if (write_slot) slots[write_index] <= push_data;
  end

  always_ff @(posedge clk or negedge rst_n) begin
    if (!rst_n) begin
      write_index <= '0;
      read_index  <= '0;
      count       <= '0;
    end else begin
      if (push_taken) write_index <= after(write_index);
      if (pop_taken) read_index <= after(read_index);
      if (push_taken && !pop_taken) count <= count + 1'b1;
      if (pop_taken && !push_taken) count <= count - 1'b1;
    end
  end
endmodule
