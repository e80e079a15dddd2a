// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/blas.h"

#include "engine/cuda/check.h"

#include <string>

namespace fkv::cuda {

namespace {

void checkBlas(cublasStatus_t status, const char* what) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    if (status == CUBLAS_STATUS_ALLOC_FAILED)
        throw Error(ErrorCode::OutOfMemory, std::string("not enough GPU memory for ") + what);
    throw Error(ErrorCode::Device,
                std::string("cuBLASLt: ") + what + ": " + cublasLtGetStatusString(status));
}

} // namespace

/// Descriptors and algorithm of one shape. Row-major matrices are column-major transposes: the
/// library computes out^T = weight^T' x'.
struct Blas::Plan {
    cublasLtMatmulDesc_t operation = nullptr;
    cublasLtMatrixLayout_t weight = nullptr, x = nullptr, out = nullptr;
    cublasLtMatmulAlgo_t algorithm{};

    Plan() = default;
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;
    ~Plan() {
        if (out) cublasLtMatrixLayoutDestroy(out);
        if (x) cublasLtMatrixLayoutDestroy(x);
        if (weight) cublasLtMatrixLayoutDestroy(weight);
        if (operation) cublasLtMatmulDescDestroy(operation);
    }
};

Blas::Blas() {
    checkBlas(cublasLtCreate(&m_handle), "start");
    const cudaError_t e = cudaMalloc(&m_workspace, kWorkspaceBytes);
    if (e != cudaSuccess) cublasLtDestroy(m_handle);
    check(e, "the workspace of matrix products");
}

Blas::~Blas() {
    m_plans.clear();
    cudaFree(m_workspace);
    cublasLtDestroy(m_handle);
}

const Blas::Plan& Blas::plan(const Product& p) {
    const Key key{p.rows,      p.in,     p.cols,       p.xStride,        p.weightStride,
                  p.outStride, p.outF32, p.accumulate, p.bias != nullptr};
    const auto found = m_plans.find(key);
    if (found != m_plans.end()) return *found->second;
    auto made = std::make_unique<Plan>();
    Plan& plan = *made;
    const auto rows = static_cast<std::uint64_t>(p.rows), in = static_cast<std::uint64_t>(p.in),
               cols = static_cast<std::uint64_t>(p.cols);
    const cudaDataType_t outType = p.outF32 ? CUDA_R_32F : CUDA_R_16BF;
    checkBlas(cublasLtMatmulDescCreate(&plan.operation, CUBLAS_COMPUTE_32F, CUDA_R_32F),
              "descriptor");
    const cublasOperation_t transposed = CUBLAS_OP_T;
    checkBlas(cublasLtMatmulDescSetAttribute(plan.operation, CUBLASLT_MATMUL_DESC_TRANSA,
                                             &transposed, sizeof transposed),
              "descriptor");
    if (p.bias != nullptr) {
        const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
        const cudaDataType_t biasType = CUDA_R_16BF;
        checkBlas(cublasLtMatmulDescSetAttribute(plan.operation, CUBLASLT_MATMUL_DESC_EPILOGUE,
                                                 &epilogue, sizeof epilogue),
                  "epilogue");
        checkBlas(cublasLtMatmulDescSetAttribute(plan.operation,
                                                 CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &biasType,
                                                 sizeof biasType),
                  "bias type");
    }
    checkBlas(cublasLtMatrixLayoutCreate(&plan.weight, CUDA_R_16BF, in, cols, p.weightStride),
              "layout");
    checkBlas(cublasLtMatrixLayoutCreate(&plan.x, CUDA_R_16BF, in, rows, p.xStride), "layout");
    checkBlas(cublasLtMatrixLayoutCreate(&plan.out, outType, cols, rows, p.outStride), "layout");
    cublasLtMatmulPreference_t preference = nullptr;
    checkBlas(cublasLtMatmulPreferenceCreate(&preference), "preference");
    const std::size_t workspace = kWorkspaceBytes;
    cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                         &workspace, sizeof workspace);
    cublasLtMatmulHeuristicResult_t result{};
    int count = 0;
    const cublasStatus_t status =
        cublasLtMatmulAlgoGetHeuristic(m_handle, plan.operation, plan.weight, plan.x, plan.out,
                                       plan.out, preference, 1, &result, &count);
    cublasLtMatmulPreferenceDestroy(preference);
    checkBlas(status, "choice of an algorithm");
    if (count == 0)
        throw Error(ErrorCode::Device, "cuBLASLt has no algorithm for a matrix product");
    plan.algorithm = result.algo;
    return *m_plans.emplace(key, std::move(made)).first->second;
}

void Blas::multiply(const Product& p, cudaStream_t stream) {
    if (p.rows == 0 || p.cols == 0) return;
    const Plan& made = plan(p);
    if (p.bias != nullptr)
        checkBlas(cublasLtMatmulDescSetAttribute(made.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER,
                                                 &p.bias, sizeof p.bias),
                  "bias");
    const float one = 1.0F, beta = p.accumulate ? 1.0F : 0.0F;
    checkBlas(cublasLtMatmul(m_handle, made.operation, &one, p.weight, made.weight, p.x, made.x,
                             &beta, p.out, made.out, p.out, made.out, &made.algorithm, m_workspace,
                             kWorkspaceBytes, stream),
              "product");
}

} // namespace fkv::cuda
