import inspect

from aimesh.core import errors
from aimesh.core.errors import CallerFault, Fault, GatewayFault, ProviderFault


def _tree() -> list[type[Fault]]:
    found = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, Fault)]
    return [each for each in found if each not in (Fault, CallerFault, ProviderFault, GatewayFault)]


def test_the_drawing_at_the_top_names_every_fault_with_its_status_and_code() -> None:
    drawing = errors.__doc__ or ""
    for each in _tree():
        line = next((line for line in drawing.splitlines() if f"+-- {each.__name__} " in line), None)
        assert line is not None, each.__name__
        if each is not errors.UpstreamRefused:
            assert each.code in line
            assert str(each.status) in line


def test_source_follows_the_branch() -> None:
    for each in _tree():
        assert each.source == ("upstream" if issubclass(each, ProviderFault) else "gateway")
        assert each.code.startswith("UPSTREAM_" if issubclass(each, ProviderFault) else "GATEWAY_")
