-- scope: sys, tenant
-- what belongs to the server that is asked; with one server, everything
SELECT * FROM oceanbase.GV$OB_UNITS
