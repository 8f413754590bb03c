module a; `include "a.vh"
endmodule
