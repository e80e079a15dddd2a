// SPDX-License-Identifier: Apache-2.0
// A fault on the GPU ends the request and not the program: the broken context goes with the backend,
// and what is opened next works. Some drivers give a process no second context: then it is told so in
// one line, and the CPU serves.
#include "engine/core/error.h"
#include "engine/cuda/make_cuda.h"
#include "tests/support/engine_fixture.h"

using namespace fkv;
using namespace fkv::testing;

namespace {

std::unique_ptr<run::Session> openGpu() {
    Recorder recorder;
    return run::Session::open(FKV_RESOURCES "/models/demo", {"cuda:0", 0}, recorder, {});
}

TEST(CudaFault, TheNextBackendAndTheNextSessionWork) {
    if (!cuda::anyDevice()) GTEST_SKIP() << "no CUDA device on this machine";
    const run::Request request = requestFor(promptText("password.txt"));
    const trace::RunPtr before = analyse(*openGpu(), request);
    {
        const auto backend = ops::makeBackend({"cuda:0", 1});
        // Rows where there is no memory: the kernel faults, and the context with it.
        const ops::View nowhere{reinterpret_cast<void*>(0x1000), DType::F32, 1, 4096, 4096};
        const ops::BufferPtr pick = backend->allocate(64, ops::Lifetime::Scratch);
        const auto fault = [&] {
            backend->argMax({nowhere, {pick->data(), DType::U32, 1, 1, 1}});
            backend->synchronize();
        };
        try {
            fault();
            FAIL() << "no fault";
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::Device) << e.what();
        }
    }
    std::unique_ptr<run::Session> again;
    try {
        again = openGpu();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::Device) << e.what();
        EXPECT_NE(e.hint().find("started again"), std::string::npos) << e.what();
    }
    if (again)
        expectSameRun(*analyse(*again, request), *before);
    else
        EXPECT_EQ(analyse(*openDemo(), request)->fullAnswer->firstLine(),
                  before->fullAnswer->firstLine());
}

} // namespace
