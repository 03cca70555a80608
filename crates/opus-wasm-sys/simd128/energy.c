/* Sum of squares in double precision: replaces silk/float/energy_FLP.c. Differs by rounding. */
#include "SigProc_FLP.h"

double silk_energy_FLP(const silk_float *data, opus_int dataSize) { return silk_inner_product_FLP_c(data, data, dataSize); }
