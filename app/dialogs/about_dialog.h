// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/theme/theme.h"

#include <QDialog>

namespace fkv::app {

/// What this is, which versions it is made of, and under which licences.
class AboutDialog : public QDialog {
    Q_OBJECT
public:
    /// `device`: where the engine computes, in words; may be empty.
    AboutDialog(const viz::Theme& theme, const QString& device, QWidget* parent = nullptr);
    /// The versions as plain text, for a report.
    QString versions() const { return m_versions; }

private:
    QString m_versions;
};

} // namespace fkv::app
