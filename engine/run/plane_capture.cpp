// SPDX-License-Identifier: Apache-2.0
#include "engine/run/plane_capture.h"

#include "engine/select/rescore.h"

#include <algorithm>
#include <cmath>

namespace fkv::run {

using trace::Plane;
using trace::Zone;

PlaneCapture::PlaneCapture(model::Transformer& transformer, const Shape& shape)
    : m_transformer(transformer), m_shape(shape) {
    const auto scored = static_cast<std::size_t>(shape.scored);
    const auto heads = static_cast<std::size_t>(transformer.config().queryHeads);
    const auto groups = static_cast<std::size_t>(transformer.config().kvHeads);
    m_layers.resize(static_cast<std::size_t>(shape.layers));
    for (Layer& layer : m_layers) {
        layer.sums.resize(heads * scored);
        layer.saliency.resize(groups * scored);
        layer.ranks.resize(groups * scored);
    }
    if (!shape.wholePass) return;
    m_tspRanks.resize(m_layers.size() * scored);
    m_mass.resize(m_layers.size() * scored);
}

void PlaneCapture::take(int index, const model::Scorer::Views& views, PassScope& scope) {
    if (m_shape.scored == 0) return;
    Layer& layer = m_layers[static_cast<std::size_t>(index)];
    const auto row = static_cast<std::size_t>(index) * static_cast<std::size_t>(m_shape.scored);
    scope.op(Zone::Capture, m_shape.scored, [&] {
        ops::Backend& backend = m_transformer.backend();
        backend.readback(layer.sums.data(), views.windowSums);
        backend.readback(layer.saliency.data(), views.saliency);
        backend.readback(layer.ranks.data(), views.ranks);
        if (m_shape.wholePass) backend.readback(m_tspRanks.data() + row, views.tspRanks);
        backend.synchronize();
        if (m_shape.wholePass)
            select::sumHeads(
                layer.sums,
                std::span(m_mass).subspan(row, static_cast<std::size_t>(m_shape.scored)),
                backend.pool());
        m_notANumber += std::count_if(layer.saliency.begin(), layer.saliency.end(),
                                      [](float v) { return std::isnan(v); });
    });
}

std::vector<trace::LayerPlanes> PlaneCapture::layers() {
    const auto scored = static_cast<std::size_t>(m_shape.scored);
    const auto heads = static_cast<std::size_t>(m_transformer.config().queryHeads);
    const auto groups = static_cast<std::size_t>(m_transformer.config().kvHeads);
    std::vector<trace::LayerPlanes> planes;
    for (Layer& layer : m_layers) {
        trace::LayerPlanes& p = planes.emplace_back();
        p.ranks = Plane<std::uint32_t>::own(std::move(layer.ranks), groups, scored);
        p.saliency = Plane<float>::own(std::move(layer.saliency), groups, scored);
        p.sums = std::make_shared<const trace::WindowSums>(
            Plane<float>::own(std::move(layer.sums), heads, scored));
    }
    return planes;
}

trace::PlanePtr<std::uint32_t> PlaneCapture::tspRanks() {
    return Plane<std::uint32_t>::own(std::move(m_tspRanks), m_layers.size(),
                                     static_cast<std::size_t>(m_shape.scored));
}

trace::PlanePtr<float> PlaneCapture::mass() {
    return Plane<float>::own(std::move(m_mass), m_layers.size(),
                             static_cast<std::size_t>(m_shape.scored));
}

} // namespace fkv::run
