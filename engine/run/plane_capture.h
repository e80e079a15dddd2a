// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/scorer.h"
#include "engine/trace/run.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace fkv::run {

/// Host planes of a pass, made before it starts and filled layer by layer, each while the next
/// layer runs where the backend can do both.
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

    /// Waits for the last layer. Called once, before everything below.
    std::vector<trace::LayerPlanes> layers();
    trace::PlanePtr<std::uint32_t> tspRanks();
    trace::PlanePtr<float> mass();
    std::int64_t notANumber() const { return m_notANumber; }

private:
    /// Values that are not touched before they are written: clearing a pass's planes would take
    /// longer than capturing them.
    template <class T>
    struct Values {
        std::shared_ptr<T[]> data;
        std::size_t rows = 0, cols = 0;

        void make(std::size_t r, std::size_t c) {
            rows = r;
            cols = c;
            data = std::make_shared_for_overwrite<T[]>(r * c);
        }
        std::span<T> row(std::size_t r) const { return {data.get() + r * cols, cols}; }
        std::span<T> all() const { return {data.get(), rows * cols}; }
        trace::PlanePtr<T> plane() {
            const T* values = data.get();
            return trace::Plane<T>::view(std::move(data), values, rows, cols);
        }
    };
    struct Layer {
        Values<float> sums, saliency;
        Values<std::uint32_t> ranks;
    };
    void finishLayer();

    model::Transformer& m_transformer;
    Shape m_shape;
    std::vector<Layer> m_layers;
    Values<std::uint32_t> m_tspRanks;
    Values<float> m_mass;
    std::int64_t m_notANumber = 0;
    int m_underWay = -1; ///< index of the layer whose delivery is not awaited yet
    std::uint64_t m_ticket = 0;
};

} // namespace fkv::run
