// Self-checking testbench: random traffic against a queue as the reference.
//
//   +seed=N     the run; same seed and depth, same run, in every simulator
//   +depth=N    which FIFO is tested: 4, 8, 16 or 32
//   +cycles=N   length of the traffic, by default 4000
//   +cov=FILE   where the coverage goes; none without it
//
// Ends with the line "PASS seed=N depth=N" and status 0, or, at the first mismatch, with the lines
// "ERROR: ..." and "FAIL seed=N depth=N" and status 1.
`timescale 1ns / 1ns
`include "fifo_defs.svh"

module fifo_tb;
  localparam int WIDTH = 16;
  localparam int FIFOS = 4;
  localparam int MIN_DEPTH = 4;
  localparam int MAX_DEPTH = MIN_DEPTH << (FIFOS - 1);

  logic clk = 0;
  logic rst_n = 0;
  logic [$clog2(FIFOS)-1:0] selected = 0;
  logic push = 0;
  logic [WIDTH-1:0] push_data = 0;
  logic pop = 0;
  logic [WIDTH-1:0] pop_data;
  logic empty;
  logic almost_full;
  logic full;
  logic [`FIFO_LEVEL_BITS(MAX_DEPTH)-1:0] count;

  int seed;
  int depth;
  int cycles;
  string coverage_path;

  always #5 clk = ~clk;

  fifo_bank #(
      .WIDTH(WIDTH),
      .FIFOS(FIFOS),
      .MIN_DEPTH(MIN_DEPTH)
  ) bank (
      .clk        (clk),
      .rst_n      (rst_n),
      .selected   (selected),
      .push       (push),
      .push_data  (push_data),
      .pop        (pop),
      .pop_data   (pop_data),
      .empty      (empty),
      .almost_full(almost_full),
      .full       (full),
      .count      (count)
  );

  fifo_coverage #(
      .WIDTH(WIDTH),
      .MAX_DEPTH(MAX_DEPTH)
  ) coverage (
      .clk        (clk),
      .rst_n      (rst_n),
      .depth      (depth),
      .push       (push),
      .push_data  (push_data),
      .pop        (pop),
      .pop_data   (pop_data),
      .empty      (empty),
      .almost_full(almost_full),
      .full       (full),
      .count      (int'(count))
  );

  // ---- Random numbers: xorshift32, since simulators differ in what $urandom gives for a seed ----

  int unsigned random_state;

  task automatic start_random;
    random_state = (32'h9E3779B9 * seed) ^ (32'h165667B1 * depth);
    random_state = (random_state ^ (random_state >> 16)) * 32'hC2B2AE35;
    if (random_state == 0) random_state = 1;  // xorshift stays at 0
  endtask

  function automatic int random_below(input int limit);
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return int'((random_state >> 4) % limit);
  endfunction

  function automatic logic happens(input int percent);
    return random_below(100) < percent;
  endfunction

  // Mostly any word, now and then one of the corners.
  function automatic logic [WIDTH-1:0] random_word();
    if (!happens(5)) return WIDTH'(random_below(1 << WIDTH));
    case (random_below(4))
      0: return '0;
      1: return '1;
      2: return {WIDTH / 2{2'b01}};
      default: return {WIDTH / 2{2'b10}};
    endcase
  endfunction

  // ---- Traffic: phases of random length, each with its rates of push and pop ----

  int push_percent;
  int pop_percent;

  task automatic set_rates(input int push_rate, input int pop_rate);
    push_percent = push_rate;
    pop_percent  = pop_rate;
  endtask

  task automatic choose_phase;
    case (random_below(5))
      0: set_rates(90, 40);  // fill
      1: set_rates(40, 90);  // drain
      2: set_rates(95, 95);  // stream
      3: set_rates(20, 20);  // trickle
      default: begin
        push_percent = random_below(101);
        pop_percent  = random_below(101);
      end
    endcase
  endtask

  // Requests change at the falling edge, half a cycle before they are sampled.
  task automatic drive_traffic;
    int left_in_phase = 0;
    repeat (cycles) begin
      if (left_in_phase == 0) begin
        choose_phase();
        left_in_phase = 32 + random_below(128);
      end
      left_in_phase--;
      push = happens(push_percent);
      push_data = random_word();
      pop = happens(pop_percent);
      @(negedge clk);
    end
  endtask

  // What is left in the FIFO comes out, so that no lost word stays unseen.
  task automatic drain;
    push = 0;
    pop  = 1;
    repeat (depth + 1) @(negedge clk);
    pop = 0;
  endtask

  // ---- Scoreboard ----

  logic [WIDTH-1:0] reference[$];
  logic failed = 0;

  task automatic check(input string what, input logic [31:0] expected, input logic [31:0] got);
    if (expected !== got) begin
      $display("ERROR: time %0t ns: %s: expected 0x%0h, got 0x%0h", $time, what, expected, got);
      failed = 1;
    end
  endtask

  always @(posedge clk) begin
    if (rst_n && !failed) begin
      int level;
      level = reference.size();
      check("count", level, count);
      check("empty", level == 0, empty);
      check("almost_full", level >= depth - `FIFO_ALMOST_FULL_SLACK, almost_full);
      check("full", level == depth, full);
      if (pop && level > 0) check("pop_data", reference.pop_front(), pop_data);
      if (push && (level < depth || pop)) reference.push_back(push_data);
      if (failed) finish_run();
    end
  end

  // ---- The run ----

  task automatic read_arguments;
    logic known = 0;
    if (!$value$plusargs("seed=%d", seed)) seed = 1;
    if (!$value$plusargs("depth=%d", depth)) depth = MIN_DEPTH;
    if (!$value$plusargs("cycles=%d", cycles)) cycles = 4000;
    if (!$value$plusargs("cov=%s", coverage_path)) coverage_path = "";
    for (int i = 0; i < FIFOS; i++) begin
      if (depth == MIN_DEPTH << i) begin
        selected = i;
        known = 1;
      end
    end
    if (!known) $fatal(1, "no FIFO of depth %0d in this testbench", depth);
  endtask

  task automatic finish_run;
    if (coverage_path != "") coverage.write_bins(coverage_path, !failed);
    $display("%s seed=%0d depth=%0d", failed ? "FAIL" : "PASS", seed, depth);
    if (failed) $fatal(1, "the FIFO differs from the reference");
    $finish;
  endtask

  initial begin
    read_arguments();
    start_random();
    repeat (2) @(negedge clk);
    rst_n = 1;
    drive_traffic();
    drain();
    finish_run();
  end
endmodule
