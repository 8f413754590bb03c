// Functional coverage of one FIFO, seen from outside: counts at each clock edge what happens, and
// writes the counts as JSON lines, `{"bin": "depth8.state.full", "hits": 412}`.
//
// A bin's name is SCOPE.GROUP.BIN. The scope is the depth under test, but for the bins that are too
// rare to ask for at every depth: those are `any_depth`.
`timescale 1ns / 1ns

module fifo_coverage #(
    parameter int WIDTH = 16,
    parameter int MAX_DEPTH = 32
) (
    input logic             clk,
    input logic             rst_n,
    input int               depth,
    input logic             push,
    input logic [WIDTH-1:0] push_data,
    input logic             pop,
    input logic [WIDTH-1:0] pop_data,
    input logic             empty,
    input logic             almost_full,
    input logic             full,
    input int               count
);
  localparam logic [WIDTH-1:0] ALL_ZEROS = '0;
  localparam logic [WIDTH-1:0] ALL_ONES = '1;

  wire push_taken = push && (!full || pop);
  wire pop_taken = pop && !empty;

  int state_empty = 0;
  int state_part_filled = 0;
  int state_almost_full = 0;
  int state_full = 0;

  int request_none = 0;
  int request_push = 0;
  int request_pop = 0;
  int request_push_pop = 0;
  int push_pop_at_level[0:MAX_DEPTH];

  int refused_push = 0;  // an overflow attempt
  int refused_pop = 0;  // an underflow attempt

  int back_to_back_push = 0;
  int back_to_back_pop = 0;
  int back_to_back_push_pop = 0;
  logic pushed = 0;  // in the cycle before
  logic popped = 0;

  int wrap_write = 0;
  int wrap_read = 0;
  int pushes = 0;  // since the last wrap
  int pops = 0;

  int swing_to_full = 0;  // from empty
  int swing_to_empty = 0;  // from full
  logic filling = 1;  // it was empty later than it was full

  int data_zeros = 0;
  int data_ones = 0;
  int same_word_full = 0;  // the word that enters equals the one that leaves
  int same_word_almost_full = 0;

  initial for (int level = 0; level <= MAX_DEPTH; level++) push_pop_at_level[level] = 0;

  always @(posedge clk) begin
    if (rst_n) begin
      if (empty) state_empty++;
      else if (full) state_full++;
      else if (almost_full) state_almost_full++;
      else state_part_filled++;

      case ({push, pop})
        2'b00: request_none++;
        2'b10: request_push++;
        2'b01: request_pop++;
        default: begin
          request_push_pop++;
          push_pop_at_level[count]++;
        end
      endcase

      if (push && !push_taken) refused_push++;
      if (pop && !pop_taken) refused_pop++;

      if (pushed && push_taken) back_to_back_push++;
      if (popped && pop_taken) back_to_back_pop++;
      if (pushed && popped && push_taken && pop_taken) back_to_back_push_pop++;
      pushed = push_taken;
      popped = pop_taken;

      if (push_taken) pushes++;
      if (pop_taken) pops++;
      if (pushes == depth) begin
        wrap_write++;
        pushes = 0;
      end
      if (pops == depth) begin
        wrap_read++;
        pops = 0;
      end

      if (full && filling) swing_to_full++;
      if (empty && !filling) swing_to_empty++;
      if (full) filling = 0;
      if (empty) filling = 1;

      if (push_taken && push_data == ALL_ZEROS) data_zeros++;
      if (push_taken && push_data == ALL_ONES) data_ones++;
      if (push_taken && pop_taken && push_data == pop_data) begin
        if (full) same_word_full++;
        else if (almost_full) same_word_almost_full++;
      end
    end
  end

  task automatic write_bins(input string path, input logic passed);
    int file = $fopen(path, "w");
    if (file == 0) $fatal(1, "cannot write %s", path);
    write_bin(file, "run.passed", int'(passed));
    write_bin(file, "state.empty", state_empty);
    write_bin(file, "state.part_filled", state_part_filled);
    write_bin(file, "state.almost_full", state_almost_full);
    write_bin(file, "state.full", state_full);
    write_bin(file, "request.none", request_none);
    write_bin(file, "request.push", request_push);
    write_bin(file, "request.pop", request_pop);
    write_bin(file, "request.push_pop", request_push_pop);
    for (int level = 0; level <= depth; level++)
      write_bin(file, $sformatf("push_pop_at_level.%0d", level), push_pop_at_level[level]);
    write_bin(file, "refused.push", refused_push);
    write_bin(file, "refused.pop", refused_pop);
    write_bin(file, "back_to_back.push", back_to_back_push);
    write_bin(file, "back_to_back.pop", back_to_back_pop);
    write_bin(file, "back_to_back.push_pop", back_to_back_push_pop);
    write_bin(file, "wrap.write", wrap_write);
    write_bin(file, "wrap.read", wrap_read);
    write_bin(file, "swing.to_full", swing_to_full);
    write_bin(file, "swing.to_empty", swing_to_empty);
    write_bin(file, "data.all_zeros", data_zeros);
    write_bin(file, "data.all_ones", data_ones);
    write_line(file, "any_depth.same_word.full", same_word_full);
    write_line(file, "any_depth.same_word.almost_full", same_word_almost_full);
    $fclose(file);
  endtask

  task automatic write_bin(input int file, input string name, input int hits);
    write_line(file, $sformatf("depth%0d.%s", depth, name), hits);
  endtask

  task automatic write_line(input int file, input string name, input int hits);
    $fdisplay(file, "{\"bin\": \"%s\", \"hits\": %0d}", name, hits);
  endtask
endmodule
