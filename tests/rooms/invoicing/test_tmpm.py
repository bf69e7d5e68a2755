import time, asyncio, resource, statistics
from tests.rooms.invoicing.conftest import *
from shipworthy.gauntlet.probes.money_cases import cases, exact_sums, MINOR_DECIMALS
from fractions import Fraction
import inspect
async def test_money(acme):
    cid = await acme.customer()
    cs = list(cases()) if not inspect.signature(cases).parameters else None
    print(inspect.signature(cases), inspect.signature(exact_sums), len(cs or []))
    bad=0; n=0; refused=0
    for c in cs:
        cur = c.currency or "EUR"
        body={"customer_id":cid,"currency":cur,"lines":[{"description":"x","quantity":str(l.quantity),"unit_price":str(l.unit_price),"tax_rate_bp":l.rate_bp} for l in c.lines]}
        a=await acme.post("/api/invoices",body)
        if a.status!=201: refused+=1; print(a.status, a.text[:200]); continue
        e=exact_sums(c.lines, MINOR_DECIMALS.get(cur,2)); n+=1
        if (a.json["net_minor"],a.json["tax_minor"],a.json["gross_minor"])!=(e.net_minor,e.tax_minor,e.gross_minor): bad+=1; print(c,a.json,e)
    print("compared",n,"bad",bad,"refused",refused)
