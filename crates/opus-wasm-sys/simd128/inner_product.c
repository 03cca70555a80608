/* Inner product in double precision: replaces silk/float/inner_product_FLP.c. Differs by rounding. */
#include "SigProc_FLP.h"
#include "double.h"

double silk_inner_product_FLP_c(const silk_float *data1, const silk_float *data2, opus_int dataSize) {
    return inner_product(data1, data2, dataSize);
}
