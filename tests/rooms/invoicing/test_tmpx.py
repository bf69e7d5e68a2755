from tests.rooms.invoicing.test_screens import *
async def test_q(acme):
    wrong = {**FORM, "lines__2__unit_price": "19,99", "payment_days": "soon", "supply_date": "2026-02-30"}
    sent = await acme.submit("/invoices", customer_id="", note="<b>keep me</b>", **wrong)
    i = sent.text.find("check your entries"); print(sent.text[i:i+1200]); print(sent.text.count("19,99"), [sent.text[m.start()-300:m.start()+20] for m in re.finditer("19,99", sent.text)]); print(sent.text[sent.text.find('<main'):][:600])
