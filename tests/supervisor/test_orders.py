import os

from aimesh.supervisor.orders import Brief, Order, read_order, write_order


def test_an_order_arrives_as_it_was_given() -> None:
    order = Order(config="/a b/aimesh.yaml", workers=3, simulator=7, greeting="zwei\nZeilen {url}\n")
    assert read_order(write_order(order), Order) == (order, "")


def test_a_brief_brings_the_configuration_along() -> None:
    brief = Brief(channel=4, file="x.yaml", slot=2, listeners=(5, 6), admin=(7,), control="/c", ledger="/l")
    text = "listen: ['127.0.0.1:1']\n# 中文\n" + "#" * 200_000
    assert read_order(write_order(brief, text), Brief) == (brief, text)


def test_nobody_else_can_open_it() -> None:
    descriptor = write_order(Order())
    try:
        assert os.fstat(descriptor).st_nlink == 0
        assert not os.get_inheritable(descriptor)
    finally:
        os.close(descriptor)
