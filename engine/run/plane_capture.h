// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/scorer.h"
#include "engine/trace/run.h"

#include <cstdint>
#include <vector>

namespace fkv::run {

/// Host planes of a pass, made before it starts and filled layer by layer.
class PlaneCapture {
public:
    struct Shape {
        int layers;
        std::int64_t scored; ///< M
        bool wholePass;      ///< with TSP ranks and mass over all layers
    };
    PlaneCapture(model::Transformer& transformer, const Shape& shape);

    /// Reads the scores of the `index`th layer of the pass.
    void take(int index, const model::Scorer::Views& views, PassScope& scope);

    /// The planes; called once, at the end.
    std::vector<trace::LayerPlanes> layers();
    trace::PlanePtr<std::uint32_t> tspRanks();
    trace::PlanePtr<float> mass();
    std::int64_t notANumber() const { return m_notANumber; }

private:
    struct Layer {
        std::vector<float> sums, saliency;
        std::vector<std::uint32_t> ranks;
    };
    model::Transformer& m_transformer;
    Shape m_shape;
    std::vector<Layer> m_layers;
    std::vector<std::uint32_t> m_tspRanks;
    std::vector<float> m_mass;
    std::int64_t m_notANumber = 0;
};

} // namespace fkv::run
