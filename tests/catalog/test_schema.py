from typing import get_args

from aimesh.catalog.crosscheck import KINDS
from aimesh.catalog.schema import DEFAULT_PATHS, FamilyName, InterfaceName, TraitSettings, merged_traits
from aimesh.core.traits import DEFAULT_TRAITS, Traits
from aimesh.wire.interface import Family
from aimesh.wire.registry import INTERFACES


def test_interfaces_are_those_of_the_wire() -> None:
    names = set(get_args(InterfaceName))
    assert names == {interface.id for interface in INTERFACES}
    assert names == set(DEFAULT_PATHS) == set(KINDS)


def test_families_are_those_of_the_wire() -> None:
    assert set(get_args(FamilyName)) == {family.value for family in Family}


def test_every_trait_can_be_set() -> None:
    assert TraitSettings.__struct_fields__ == Traits.__struct_fields__


def test_a_later_layer_of_traits_holds() -> None:
    provider = TraitSettings(developer_role=False, video_media=True)
    endpoint = TraitSettings(video_media=False, usage_in_stream="always")
    assert merged_traits(provider, TraitSettings(), endpoint) == Traits(
        developer_role=False, video_media=False, usage_in_stream="always"
    )
    assert merged_traits() == DEFAULT_TRAITS
