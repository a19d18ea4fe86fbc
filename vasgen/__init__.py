"""vasgen: procedural cities, camera views, and the radio signal on every visible surface.

The rooms are subpackages: :mod:`vasgen.citygen`, :mod:`vasgen.render`, :mod:`vasgen.vas`,
:mod:`vasgen.datasets` and :mod:`vasgen.orchestrate`.
"""

from vasgen.runtime import prepare as _prepare

# Before anything imports drjit: a bad system LLVM would abort the process.
_prepare()
